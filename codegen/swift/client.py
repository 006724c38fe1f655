"""The protoc plugin that writes the sources of a Swift package, from all its contracts at once.

Its parameter holds `product=NAME`, what the client is of, and `everything`, where messages that no
method needs are to be written, too.
"""

from __future__ import annotations

import sys

from google.protobuf.compiler.plugin_pb2 import CodeGeneratorRequest, CodeGeneratorResponse

from codegen.contract.loading import load
from codegen.contract.model import RefusedContractError
from codegen.swift.package import package

__all__ = ["respond"]


def respond(request: CodeGeneratorRequest) -> CodeGeneratorResponse:
    """The answer to a request of protoc's."""
    response = CodeGeneratorResponse()
    response.supported_features = CodeGeneratorResponse.FEATURE_PROTO3_OPTIONAL
    entries = dict(entry.partition("=")[::2] for entry in request.parameter.split(",") if entry)
    product = entries.get("product", "client")
    try:
        for path, content in package(
            load(request, {}), product, everything="everything" in entries
        ):
            response.file.add(name=path, content=content)
    except RefusedContractError as problems:
        del response.file[:]
        response.error = str(problems)
    return response


if __name__ == "__main__":
    given = CodeGeneratorRequest.FromString(sys.stdin.buffer.read())
    sys.stdout.buffer.write(respond(given).SerializeToString())
