-- How the last read of grants went.
SELECT state, sentence FROM mirror.read WHERE kind = 'grant' ORDER BY read_id DESC LIMIT 1
