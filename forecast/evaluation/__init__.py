"""How good a forecast is: metrics, rolling origins, calibrated bands."""
