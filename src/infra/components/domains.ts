import {
  AaaaRecord,
  ARecord,
  HostedZone,
  type IAliasRecordTarget,
  type IHostedZone,
  RecordTarget,
} from 'aws-cdk-lib/aws-route53';
import { Construct } from 'constructs';
import type { Deployment } from '../../deployment/schema.js';

/** DNS records of the services, in an existing hosted zone. */
export class Domains extends Construct {
  private readonly zone: IHostedZone;

  constructor(scope: Construct, id: string, props: { hostedZone: Deployment['hostedZone'] }) {
    super(scope, id);
    this.zone = HostedZone.fromHostedZoneAttributes(this, 'Zone', {
      hostedZoneId: props.hostedZone.id,
      zoneName: props.hostedZone.name,
    });
  }

  /** Creates the record of `domainName`, for example `api.reefguide.example.com`. `ipv6` adds an AAAA record. */
  point(id: string, domainName: string, target: IAliasRecordTarget, { ipv6 = false } = {}): ARecord {
    // Ends the name with a dot, because CDK appends the zone's name to a name without one.
    const record = { zone: this.zone, recordName: `${domainName}.`, target: RecordTarget.fromAlias(target) };
    if (ipv6) new AaaaRecord(this, `${id}Ipv6`, record);
    return new ARecord(this, id, record);
  }
}
