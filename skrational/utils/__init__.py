"""What every layer uses: compilation, threads, memory, files, figures, checks."""
