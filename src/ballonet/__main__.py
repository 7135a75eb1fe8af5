"""`python -m ballonet` is the command `ballonet`."""

from ballonet.cli import main

if __name__ == "__main__":
    main()
