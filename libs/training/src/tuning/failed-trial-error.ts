import { TrainingError } from '../errors';

/** Thrown by a module, it says that these values cannot be evaluated, and never will: the trial is not tried again. KerasTuner's name. */
export class FailedTrialError extends TrainingError {
  constructor(message: string, options?: ErrorOptions) {
    super('INFEASIBLE_TRIAL', message, {}, options);
  }
}
