import { describe, expect, it } from '@jest/globals';
import { toFirstBootCommands, toMountScript } from '../../../src/infra/mount-script.js';

describe('toMountScript', () => {
  it("mounts over TLS, with the instance's role, through the access point", () => {
    const script = toMountScript('fs-1', 'fsap-1');
    expect(script).toContain('mount -t efs -o tls,iam,accesspoint=fsap-1 fs-1:/ /efs/data');
    expect(toFirstBootCommands(script)[0]).toBe(`cat > /home/ubuntu/mountefs.sh <<'MOUNTEFS'\n${script}MOUNTEFS`);
  });
});
