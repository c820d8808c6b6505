"""The load generator: a process of its own, that waits for nobody."""
