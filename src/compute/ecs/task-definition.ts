/** The ECS task definition that the workers of a group run as. */
export interface EcsTaskDefinition {
  group: string;
  /** Family of the task definition: its tasks are the group's, whoever started them. */
  family: string;
  /** ARN, `family:revision` or family, as RunTask takes it. */
  taskDefinition: string;
  /** ARN or name. */
  cluster: string;
  securityGroup: string;
  /** On FARGATE_SPOT while there is capacity, otherwise on FARGATE. */
  spot: boolean;
}

/** Returns the family of an ARN, `family:revision` or `family`, for example `reef` of `…:task-definition/reef:7`. */
export function familyOf(taskDefinition: string): string {
  return taskDefinition.replace(/^.*task-definition\//, '').replace(/:\d+$/, '');
}
