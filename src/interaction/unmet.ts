/** What the application hears when its demand cannot be met (OpenID Connect Core Unmet Authentication Requirements 1.0). */
export const UNMET = {
  error: 'unmet_authentication_requirements',
  error_description: 'the requested level cannot be reached',
} as const;
