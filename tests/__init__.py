"""So that tests can import what they share: `from tests.security.hostile import ...`."""
