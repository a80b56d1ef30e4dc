/** Names of the artifact service, as specs have them. */
export const VERSION_NAME = /^artifacts\/[a-z0-9][a-z0-9._-]{0,127}\/versions\/[1-9][0-9]{0,8}$/;
export const ARTIFACT_NAME = /^artifacts\/[a-z0-9][a-z0-9._-]{0,127}$/;
