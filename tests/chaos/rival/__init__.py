"""The same work done by arq as it comes: one job for each event, every setting as it is."""
