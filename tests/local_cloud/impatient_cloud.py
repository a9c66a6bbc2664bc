"""The toy cloud, whose server gives requests a quarter of a second."""

from dataclasses import replace

from toy_cloud import TOY

from local_cloud import server_command
from local_cloud.server import connections

if __name__ == "__main__":
    connections.REQUEST_LIMIT = 0.25
    server_command(replace(TOY, module="impatient_cloud"))()
