"""`quiver bench`: how fast Quiver is here, beside what people would use instead."""
