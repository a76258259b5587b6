import { type ApiConfig, readApiConfig } from '../api/config.ts';
import { EnvironmentError } from '../environment.ts';
import { type ProcessorConfig, readProcessorConfig } from '../processor/config.ts';

export interface StartConfig {
  readonly api: ApiConfig;
  readonly processor: ProcessorConfig;
}

/**
 * Both services' configuration, as `npm start` gives it to them.
 *
 * @param ports - that the services will listen on
 * @throws EnvironmentError with a line for every value that is bad by itself or contradicts the other service's
 */
export function readStartConfig(
  environment: Readonly<Record<string, string | undefined>>,
  ports: { readonly PORT: string; readonly PROCESSOR_PORT: string; readonly METRICS_PORT: string },
): StartConfig {
  const api = readApiConfig({ ...environment, PORT: ports.PORT });
  const processor = readProcessorConfig({
    ...environment,
    HOST: environment.PROCESSOR_HOST || environment.HOST,
    PORT: ports.PROCESSOR_PORT,
    METRICS_PORT: ports.METRICS_PORT,
  });
  // Another processor has limits of its own.
  if (!environment.PROCESSOR_URL) refuseContradictions(api, processor);
  return { api, processor };
}

function refuseContradictions({ defaults, maxUploadBytes }: ApiConfig, processor: ProcessorConfig): void {
  const { MAX_OUTPUT_PIXELS, MAX_SOURCE_BYTES } = processor;
  const pixels = defaults.width * defaults.height;
  if (defaults.scale && pixels > MAX_OUTPUT_PIXELS) {
    throw new EnvironmentError(
      `IMAGE_WIDTH × IMAGE_HEIGHT is ${pixels}; allowed: at most ${MAX_OUTPUT_PIXELS}, which is MAX_OUTPUT_PIXELS`,
    );
  }
  if (maxUploadBytes > MAX_SOURCE_BYTES) {
    throw new EnvironmentError(
      `MAX_UPLOAD_BYTES is "${maxUploadBytes}"; allowed: at most ${MAX_SOURCE_BYTES}, which is MAX_SOURCE_BYTES`,
    );
  }
}
