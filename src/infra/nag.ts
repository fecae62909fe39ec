import { CfnResource, Stack, Validations } from 'aws-cdk-lib';
import { type IRole, PolicyStatement, type PolicyStatementProps } from 'aws-cdk-lib/aws-iam';
import { flattenCfnReference } from 'cdk-nag/lib/utils/flatten-cfn-reference.js';
import type { IConstruct } from 'constructs';

/** Accepts findings of cdk-nag on one construct and what it holds, for a reason. `rule` is `IAM5[Resource::*]`, `S1`, … */
export function acknowledge(construct: IConstruct, reason: string, ...rules: string[]): void {
  Validations.of(construct).acknowledge(...rules.map((rule) => ({ id: `AwsSolutions-${rule}`, reason })));
}

/** Accepts a finding of cfn-lint on one resource; why, says a comment at the call. */
export function acceptLint(construct: IConstruct, check: string): void {
  const resource = construct.node.defaultChild;
  if (resource && CfnResource.isCfnResource(resource))
    resource.addMetadata('cfn-lint', { config: { ignore_checks: [check] } });
}

/**
 * Allows a role what a statement says. A resource with a wildcard needs `why`, which accepts exactly that resource:
 * any other wildcard in the role still fails the check.
 */
export function allow(role: IRole, { why, ...statement }: PolicyStatementProps & { why?: string }): void {
  role.addToPrincipalPolicy(new PolicyStatement(statement));
  if (why === undefined) return;
  const wildcards = (statement.resources ?? [])
    .map((resource) => flattenCfnReference(Stack.of(role).resolve(resource)))
    .filter((resource) => resource.includes('*'));
  acknowledge(role, why, ...wildcards.map((resource) => `IAM5[Resource::${resource}]`));
}
