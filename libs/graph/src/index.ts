export { GraphError, type GraphErrorReason, type Refusal, type RefusalReason } from './graph-error';
export { type Tf } from './native-backend';
export { type FeatureDefault, type FeatureSpec } from './parse-examples';
export { SERVING_DEFAULT, SERVING_EXAMPLES, type ExamplesSignature, type ModelInputs } from './serving-signature';
export { exportSavedModel, type ExportedTensor, type SavedModelRequest, type SavedModelSummary } from './export-saved-model';
export { exportLayersModel, layersModelIn, MODEL_JSON, type LayersModelRequest } from './layers-format';
