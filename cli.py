"""Run the command line from a clone, uninstalled: `python cli.py train data.csv`."""

from forecast.commands import main

if __name__ == "__main__":
    main()
