import { RemovalPolicy } from 'aws-cdk-lib';
import * as secretsmanager from 'aws-cdk-lib/aws-secretsmanager';
import { Construct } from 'constructs';
import { acknowledge } from '../nag.js';

/** Secrets of the service accounts, generated once. The API creates the accounts in the database at start. */
export class ServiceAccounts extends Construct {
  readonly admin: secretsmanager.Secret;
  readonly manager: secretsmanager.Secret;
  readonly worker: secretsmanager.Secret;

  constructor(scope: Construct, id: string, props: { baseDomain: string }) {
    super(scope, id);
    const account = (name: string, role: string) => {
      const secret = new secretsmanager.Secret(this, name, {
        description: `ReefGuide: the ${role} account`,
        generateSecretString: {
          secretStringTemplate: JSON.stringify({ username: `${role}@${props.baseDomain}` }),
          generateStringKey: 'password',
          passwordLength: 40,
          excludePunctuation: true,
        },
        removalPolicy: RemovalPolicy.RETAIN,
      });
      acknowledge(secret, {
        SMG4: 'The database has a hash of the password, which the API updates at start: to rotate, store a new value and restart.',
      });
      return secret;
    };
    this.admin = account('Admin', 'admin');
    this.manager = account('Manager', 'manager');
    this.worker = account('Worker', 'worker');
  }
}
