"""Pages and endpoints, a site per audience. Sites never touch tables."""
