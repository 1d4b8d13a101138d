"""A stand-in for SSG's TPGateway APIs: a real HTTP server that knows only the wire (ssg-api 1 to 14).

It shares no code with the client in ``tms_pipeline.ssg``; a test pins that.
Run it with ``python -m tms_pipeline.ssg.simulator`` or embed it with :func:`server.serve`.
"""
