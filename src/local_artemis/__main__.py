"""``python -m local_artemis``: serve until stopped."""

from local_artemis.cloud import ARTEMIS
from local_cloud import server_command

main = server_command(ARTEMIS)

if __name__ == "__main__":
    main()
