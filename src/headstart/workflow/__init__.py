"""The journeys, one call a station."""
