"""Spark: the build of `regulars.similarity.blocks` carried over many machines, and the EMR Serverless job that runs it."""
