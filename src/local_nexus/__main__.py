"""``python -m local_nexus``: serve until stopped."""

from local_cloud import server_command
from local_nexus.cloud import NEXUS

main = server_command(NEXUS)

if __name__ == "__main__":
    main()
