"""The pages: read the request, check access, call a service, render. Decisions about numbers are made in services."""
