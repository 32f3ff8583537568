"""ASGI middleware before every page, route and socket, and limits of the server process."""
