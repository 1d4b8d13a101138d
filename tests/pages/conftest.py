from pages_desk import browser, desk, pictures  # noqa: F401
