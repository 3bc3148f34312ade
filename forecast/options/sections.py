"""The sections of --help, in which options are shown."""

COLUMNS, DIALECT, REPAIR, NETWORK, OUTPUT, RUN = "Columns", "Dialect", "Repair", "Network", "Output", "Run"
ORIGINS, INPUT = "Origins", "Input"
