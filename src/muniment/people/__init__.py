"""Who is who: persons, roles, line management, addresses by interval; who had this address at that moment."""
