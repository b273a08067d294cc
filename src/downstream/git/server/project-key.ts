/** A project of a user. The two ids together identify a repository, its versions and its part of the graph. */
export interface ProjectKey {
  userId: string;
  projectId: string;
}
