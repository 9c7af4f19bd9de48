"""``python -m skrational``: the command line."""

from skrational.cli.main import run

if __name__ == "__main__":
    run()
