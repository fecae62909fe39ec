import { RemovalPolicy } from 'aws-cdk-lib';
import type { IRole } from 'aws-cdk-lib/aws-iam';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { Construct } from 'constructs';
import { acknowledge, allow } from '../nag.js';

/** The service accounts, generated once. The API makes them in the database when it starts. */
export class ServiceAccounts extends Construct {
  readonly admin: Secret;
  readonly manager: Secret;
  readonly worker: Secret;

  constructor(scope: Construct, id: string, props: { baseDomain: string }) {
    super(scope, id);
    const account = (name: string, role: string) => {
      const secret = new Secret(this, name, {
        description: `ReefGuide: the ${role} account`,
        generateSecretString: {
          secretStringTemplate: JSON.stringify({ username: `${role}@${props.baseDomain}` }),
          generateStringKey: 'password',
          passwordLength: 40,
          excludePunctuation: true,
        },
        removalPolicy: RemovalPolicy.RETAIN,
      });
      acknowledge(
        secret,
        'The password also stands, hashed, in the database, which the API brings in line when it starts: rotating it is a new value and a restart.',
        'SMG4',
      );
      return secret;
    };
    this.admin = account('Admin', 'admin');
    this.manager = account('Manager', 'manager');
    this.worker = account('Worker', 'worker');
  }
}

/** Lets a program read exactly these secrets. */
export function allowSecrets(role: IRole, arns: readonly string[]): void {
  allow(role, { actions: ['secretsmanager:GetSecretValue'], resources: [...arns] });
}
