"""The whole service on simulated hosts where everything goes wrong, from a seed, under a checker's eyes."""
