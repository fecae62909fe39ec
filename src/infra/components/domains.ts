import {
  AaaaRecord,
  ARecord,
  HostedZone,
  type IAliasRecordTarget,
  type IHostedZone,
  RecordTarget,
} from 'aws-cdk-lib/aws-route53';
import { Construct } from 'constructs';
import type { Deployment } from '../../deployment/load.js';

/** The records of the services, in a hosted zone that is there already. */
export class Domains extends Construct {
  private readonly zone: IHostedZone;

  constructor(scope: Construct, id: string, props: { hostedZone: Deployment['hostedZone'] }) {
    super(scope, id);
    this.zone = HostedZone.fromHostedZoneAttributes(this, 'Zone', {
      hostedZoneId: props.hostedZone.id,
      zoneName: props.hostedZone.name,
    });
  }

  /** Makes `domainName` lead to the target, over IPv6 too where the target speaks it. */
  point(id: string, domainName: string, target: IAliasRecordTarget, { ipv6 = false } = {}): ARecord {
    // The final dot makes the name whole: without it CDK would look for the zone's name at its end.
    const record = { zone: this.zone, recordName: `${domainName}.`, target: RecordTarget.fromAlias(target) };
    if (ipv6) new AaaaRecord(this, `${id}Ipv6`, record);
    return new ARecord(this, id, record);
  }
}
