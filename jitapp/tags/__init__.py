"""Tags that readers see: from reads to presences, from presences to scans. See jitapp/README.md."""
