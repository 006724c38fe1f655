"""What the README claims, measured."""

# It decides how gRPC runs, for what is written by hand as well, so it comes before gRPC.
import seam as seam
