/** Returns `mountefs.sh`, which installs a missing mount helper and mounts the data at /efs/data. Safe to run again. */
export const toMountScript = (fileSystemId: string, accessPointId: string) => `#!/bin/bash
set -euo pipefail
if ! command -v mount.efs >/dev/null; then
  sudo apt-get update
  sudo apt-get install -y git binutils rustc cargo libssl-dev pkg-config gettext nfs-common stunnel4 python3-botocore
  source=$(mktemp -d)
  git clone --depth 1 https://github.com/aws/efs-utils "$source"
  (cd "$source" && ./build-deb.sh && sudo apt-get install -y ./build/amazon-efs-utils*.deb)
  rm -rf "$source"
fi
sudo mkdir -p /efs/data
mountpoint -q /efs/data || sudo mount -t efs -o tls,iam,accesspoint=${accessPointId} ${fileSystemId}:/ /efs/data
`;

/** Returns the commands of the first boot: save the script for user `ubuntu`, install the AWS CLI, mount. */
export const toFirstBootCommands = (script: string): string[] => [
  `cat > /home/ubuntu/mountefs.sh <<'MOUNTEFS'\n${script}MOUNTEFS`,
  'chmod 755 /home/ubuntu/mountefs.sh',
  'chown ubuntu:ubuntu /home/ubuntu/mountefs.sh',
  'snap install aws-cli --classic',
  // Continues after a failed mount, so that an operator can log in and run the script again.
  'sudo -u ubuntu /home/ubuntu/mountefs.sh || echo "mountefs.sh failed: run it again"',
];
