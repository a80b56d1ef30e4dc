export { CoordinatorClient, type SubmitOptions } from './coordinator/coordinator-client';
