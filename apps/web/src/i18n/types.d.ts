import type { Messages } from './en/index';

declare module 'use-intl' {
  interface AppConfig {
    Messages: Messages;
  }
}
