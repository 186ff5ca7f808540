"""A run's figures while it is under way, for programs that watch: served to Prometheus, or pushed over OTLP."""
