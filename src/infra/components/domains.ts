import * as route53 from 'aws-cdk-lib/aws-route53';
import { Construct } from 'constructs';
import type { Deployment } from '../../deployment/schema.js';

/** DNS records of the services, in an existing hosted zone. */
export class Domains extends Construct {
  private readonly zone: route53.IHostedZone;

  constructor(scope: Construct, id: string, props: { hostedZone: Deployment['hostedZone'] }) {
    super(scope, id);
    this.zone = route53.HostedZone.fromHostedZoneAttributes(this, 'Zone', {
      hostedZoneId: props.hostedZone.id,
      zoneName: props.hostedZone.name,
    });
  }

  /** Creates the record of `domainName`, for example `api.reefguide.example.com`. `ipv6` adds an AAAA record. */
  point(id: string, domainName: string, target: route53.IAliasRecordTarget, { ipv6 = false } = {}): route53.ARecord {
    // Ends the name with a dot, because CDK appends the zone's name to a name without one.
    const record = { zone: this.zone, recordName: `${domainName}.`, target: route53.RecordTarget.fromAlias(target) };
    if (ipv6) new route53.AaaaRecord(this, `${id}Ipv6`, record);
    return new route53.ARecord(this, id, record);
  }
}
