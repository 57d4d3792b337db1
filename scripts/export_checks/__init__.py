"""The parts of check-exports.py that are about one target."""
