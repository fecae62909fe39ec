/** `mountefs.sh`: brings the mount helper when it is missing, and mounts the data at /efs/data. Safe to run again. */
export const mountScript = (fileSystemId: string, accessPointId: string) => `#!/bin/bash
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

/** Commands of the first boot: the script in the home of \`ubuntu\`, the AWS command line, and the mount. */
export const firstBoot = (script: string): string[] => [
  `cat > /home/ubuntu/mountefs.sh <<'MOUNTEFS'\n${script}MOUNTEFS`,
  'chmod 755 /home/ubuntu/mountefs.sh',
  'chown ubuntu:ubuntu /home/ubuntu/mountefs.sh',
  'snap install aws-cli --classic',
  // A mount that fails must not keep the instance from being reached: the script can be run again by hand.
  'sudo -u ubuntu /home/ubuntu/mountefs.sh || echo "mountefs.sh failed: run it again"',
];
