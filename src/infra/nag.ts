import { CfnResource, Stack, Validations } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import { flattenCfnReference } from 'cdk-nag/lib/utils/flatten-cfn-reference.js';
import type { IConstruct } from 'constructs';

/** Accepts findings of cdk-nag on a construct and its children, by rule, for example `S1` or `IAM5[Resource::*]`. */
export function acknowledge(construct: IConstruct, reasons: Record<string, string>): void {
  const findings = Object.entries(reasons).map(([rule, reason]) => ({ id: `AwsSolutions-${rule}`, reason }));
  Validations.of(construct).acknowledge(...findings);
}

/** Accepts a finding of cfn-lint on one resource. A comment at the call gives the reason. */
export function acknowledgeLint(construct: IConstruct, check: string): void {
  const resource = construct.node.defaultChild;
  if (resource && CfnResource.isCfnResource(resource))
    resource.addMetadata('cfn-lint', { config: { ignore_checks: [check] } });
}

/** Adds a statement to a role. A resource with a wildcard needs a reason, `why`, which accepts that resource alone. */
export function allow(role: iam.IRole, { why, ...statement }: iam.PolicyStatementProps & { why?: string }): void {
  role.addToPrincipalPolicy(new iam.PolicyStatement(statement));
  if (why === undefined) return;
  const wildcards = (statement.resources ?? [])
    .map((resource) => flattenCfnReference(Stack.of(role).resolve(resource)))
    .filter((resource) => resource.includes('*'));
  acknowledge(role, Object.fromEntries(wildcards.map((resource) => [`IAM5[Resource::${resource}]`, why])));
}
