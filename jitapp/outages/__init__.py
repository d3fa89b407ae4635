"""What this process needs and cannot reach: told once when it goes, counted meanwhile, told once when it is back."""
