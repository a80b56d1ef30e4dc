const STUDY_ID = /^[a-z0-9][a-z0-9-]{0,62}$/;

/** What an id of a study is, for messages. */
export const STUDY_ID_RULE = 'lower-case letters, digits and "-", at most 63, a letter or digit first';

/** Whether a text can be the id of a study: its name is studies/{id}, and a label of a host name too. */
export const isStudyId = (text: string): boolean => STUDY_ID.test(text);
