"""Run the command line with `python -m antiphon`."""

from antiphon.cli.main import main

if __name__ == "__main__":
    main()
