"""What stands before every page, route and socket: ASGI middleware and limits of the server process."""
