"""A stand-in for a drunc installation: real gRPC and HTTP servers, real Kafka messages, no real data taking.

It behaves as the contract says a G1 installation does, faults included, so that a client cannot tell the
difference. It is a program of its own and imports nothing of the console but `wire`.
"""
