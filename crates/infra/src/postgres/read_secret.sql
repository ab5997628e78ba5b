SELECT key FROM service_secret
