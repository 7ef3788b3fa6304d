"""OCM: automatic voice notification through the telephone system a firm already has."""
