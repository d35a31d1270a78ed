"""People, their factors, sessions and invitations; service clients."""
