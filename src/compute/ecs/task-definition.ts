export interface EcsTaskDefinition {
  group: string;
  /** Family of the task definition. Every task of the family belongs to the group, even a task started by hand. */
  family: string;
  /** ARN, `family:revision` or family, for RunTask. */
  taskDefinition: string;
  /** ARN or name. */
  cluster: string;
  securityGroup: string;
  /** True: launch on FARGATE_SPOT while Spot has capacity, otherwise on FARGATE. */
  spot: boolean;
}

/** Returns the family of an ARN, `family:revision` or family: `arn:aws:ecs:…:task-definition/reef:7` → `reef`. */
export function toTaskFamily(taskDefinition: string): string {
  return taskDefinition.replace(/^.*task-definition\//, '').replace(/:\d+$/, '');
}
